"""The agents: one ordinary async function per role, given typed inputs and the callables `ask` and `check`."""

"""Our programs that run inside the sandbox, beside the generated code; standard library only.

Each reads one JSON plan from its standard input and writes one JSON report to the descriptor REPORT_FD.
"""

"""Two tiny programs that stand between us and the generated code; standard library only."""

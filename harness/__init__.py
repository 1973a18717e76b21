"""What stands around the ALG: the command line, the demo, reports, and the tools that exercise endpoints."""

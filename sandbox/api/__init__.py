"""Reading an OpenAPI document: what to ask of a service, and whether its answers fit. Pure."""

"""What goes over the wire, as pydantic models: they validate requests, shape answers, and are the OpenAPI document."""

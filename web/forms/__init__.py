"""Forms: inputs named by the wire's dotted paths, so that a form and the API say, mean and refuse the same."""

"""Pictures from outside: looked at by their headers, decoded in a limited child process."""

"""What people see: scripts that read, show and call one verb, one folder per role, and the kit they share in `ui`."""

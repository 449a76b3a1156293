"""What people ask about their own data, for operators: `make privacy`, `make privacy-scan`."""

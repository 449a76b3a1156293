"""What connects the domain to the outside: HTTP, DynamoDB, Step Functions and the function environment."""

"""A flash sale in virtual time: the production completion path on a double of DynamoDB that models capacity."""

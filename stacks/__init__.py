"""The CDK stacks of Tradepost."""

"""Import of product tables: Shopify's CSV, and through a mapping file any other CSV or YAML table."""

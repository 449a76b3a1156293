"""What is built before a deployment: the layer of third-party packages."""

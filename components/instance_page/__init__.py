"""The page that a new backend serves, and the cloud-config that starts it there."""

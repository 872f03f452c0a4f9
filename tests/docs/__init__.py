"""What people read: the pages and files that the product serves about itself."""

"""What a landing page gets: a company's snippets, the script that they make, and its variants."""

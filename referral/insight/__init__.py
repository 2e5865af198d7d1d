"""What the brand's people come to, day by day: counted from the records, never kept up by adding."""

"""Archives of others: what there is to have, fetched, checked and unpacked."""

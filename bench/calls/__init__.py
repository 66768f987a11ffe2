"""What a call of the API costs in a pool of 64 hosts, beside the bare HTTP stack."""

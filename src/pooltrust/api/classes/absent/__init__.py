"""Classes of which a pool of hosts has no objects, and published calls that are not carried out."""

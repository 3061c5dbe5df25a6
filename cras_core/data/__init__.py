"""Pictures of cloth: data sets, folders, and whether they are sound."""

"""The daily cube: credit of every day under the models that a workspace can see day by day."""

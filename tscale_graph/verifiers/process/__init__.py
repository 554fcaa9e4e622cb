"""Process reward models that people train on their own task: labels, features, the model."""

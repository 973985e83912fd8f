"""Pictures for people: charts with axes and contact sheets of images."""

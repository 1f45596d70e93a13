"""What the documentation's site is built with, besides MkDocs: pages and pictures that code makes."""

"""What all of l3embed's programs share: Ctrl-C, exit statuses, and how warnings reach the user."""

"""What an export was computed from and with, written down so that another machine can compute it again."""

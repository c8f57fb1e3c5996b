"""Doudian (抖店), by its open platform."""

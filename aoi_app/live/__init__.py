"""The running line: frames are captured, inspected and logged in threads of their own. Knows neither Qt nor torch."""

"""The page of the sandbox: what is on the stage, shown live in a browser, and acts of those who look at it."""

"""The engine as the extension sees it: a server that is asked over HTTP."""

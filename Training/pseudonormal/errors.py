"""The one exception that means "the input is at fault"."""


class InputError(Exception):
    """Something the user gave cannot be used.

    The message is one line that says which file or option, what is wrong with it and what to do. The command
    line prints it without a traceback and exits with code 2; the server answers 4xx with it.
    """

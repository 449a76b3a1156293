"""What was done to a local shop, kept in the local AWS itself: should that lose its state, this is lost with it."""

from tools.local.instance import Instance


def recall(instance: Instance, name: str) -> str | None:
    """What was remembered under this name, or None."""
    parameters = instance.client("ssm")
    try:
        value: str = parameters.get_parameter(Name=_path(name))["Parameter"]["Value"]
    except parameters.exceptions.ParameterNotFound:
        return None
    return value


def remember(instance: Instance, name: str, value: str) -> None:
    """Once the thing is done, and not before: an interrupted run does it again."""
    instance.client("ssm").put_parameter(Name=_path(name), Value=value, Type="String", Overwrite=True)


def _path(name: str) -> str:
    return f"/tradepost/{name}"

"""A window for the gateway's tests: a real process that echoes what reaches it, over HTTP and websockets.

Started as ``PseudoNormalWeb.window`` is, it keeps the same promises: one line with its port, and it ends, after having
saved, when its standard input is closed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import threading
from pathlib import Path

from aiohttp import WSMsgType, web

from PseudoNormalWeb.window_key import ask_for_key


async def echo(request):
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await echo_socket(request)
    body = await request.read()
    seen = {"method": request.method, "path": request.raw_path, "pid": os.getpid(), "bytes": len(body)}
    seen |= {"headers": dict(request.headers), "files": str(FILES), "temporary": tempfile.gettempdir()}
    return web.json_response(seen, headers={"Set-Cookie": "from=window", "X-Secret": os.environ["PSEUDONORMAL_TOKEN"]})


async def echo_socket(request):
    socket = web.WebSocketResponse(protocols=("wamp",), max_msg_size=0)
    await socket.prepare(request)
    async for message in socket:
        if message.type == WSMsgType.TEXT and message.data == "who":
            await socket.send_json({"pid": os.getpid(), "headers": dict(request.headers)})
        elif message.type == WSMsgType.TEXT and message.data == "hang up":
            await socket.close(code=4001)
        elif message.type == WSMsgType.TEXT:
            await socket.send_str(message.data)
        else:
            await socket.send_bytes(message.data)
    return socket


async def main():
    loop, unwanted = asyncio.get_running_loop(), asyncio.Event()

    def wait():
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(unwanted.set)

    threading.Thread(target=wait, daemon=True).start()
    app = web.Application(client_max_size=1 << 30)
    ask_for_key(app)
    app.router.add_route("*", "/{path:.*}", echo)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write("words before it serves\n" + json.dumps({"port": runner.addresses[0][1]}) + "\n")
    sys.stdout.flush()
    await unwanted.wait()
    with (DATA / "saved.txt").open("a") as file:
        file.write(f"{os.getpid()}\n")
    os._exit(0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option in ("--engine", "--files", "--data"):
        parser.add_argument(option, required=True)
    options = parser.parse_args()
    FILES, DATA = Path(options.files), Path(options.data)
    asyncio.run(main())

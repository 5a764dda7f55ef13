"""One session of the official Python client with a server, as JSON on stdout.

    python client.py SESSION

SESSION is JSON: {mode, http} or {mode, command, arguments, environment}, and calls: [{tool, arguments}].
"""

import asyncio
import json
import sys

from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client


def plain(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def main():
    session = json.loads(sys.argv[1])
    if "http" in session:
        transport = streamable_http_client(session["http"])
    else:
        transport = stdio_client(
            StdioServerParameters(
                command=session["command"], args=session["arguments"], env=session["environment"]
            )
        )
    async with Client(transport, mode=session["mode"]) as client:
        tools = (await client.list_tools()).tools
        answers = []
        for call in session["calls"]:
            try:
                answers.append({"result": plain(await client.call_tool(call["tool"], call["arguments"]))})
            except MCPError as error:
                answers.append({"error": {"code": error.error.code, "message": error.error.message}})
        server = client.server_info
        print(
            json.dumps(
                {
                    "version": client.protocol_version,
                    "server": plain(server) if server else None,
                    "instructions": client.instructions,
                    "tools": [plain(tool) for tool in tools],
                    "answers": answers,
                }
            )
        )


asyncio.run(main())

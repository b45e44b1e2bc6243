"""The MCP server, by the official SDK: tools, texts and prompts rendered for it; over stdio, or one HTTP request at a time.

Importing this takes the SDK in, which is slow: the HTTP service does so when the first agent comes.
"""

import asyncio
import json
import logging
import signal
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from suasion import __version__, problems, shelf, tools
from suasion.assembly import Assembly, assembled
from suasion.clients import client_address
from suasion.engine import Loader
from suasion.errors import Failed, SuasionError
from suasion.fairness import client_key
from suasion.settings import Settings
from suasion.shelf import Text
from suasion.source import Source
from suasion.tools import Tool

_ARTICLE = """\
Suasion is a knowledge graph of what one article in international relations says about Chinese and Japanese soft power in \
Southeast Asia: who does what for whom, amounts, dates, judgements, each with who says so, how surely, and where it stands.

Be quick: for a question in words, call the tool whose description fits (claims, initiatives, quantities, agreements, timeline, \
comparison, search and so on); filters take short names such as actor:japan or just japan. search finds short names. \
get_entity and get_claim tell all of one thing or claim. Only for what no tool answers write SPARQL: describe_graph first, \
then sparql.

Every result says completeness (complete, or truncated with total and next_offset, the offset of the next page); the same \
dataset (a sha256) is the same data. Where there are no rows, \
note says why: that the article does not say so, or only that no row fits these filters, when fewer filters or search may find \
it. Report the modality with what you report: ReportedAsFact is fact for the authors; Hedged, Evaluated, Projected, \
Quoted, ReportedFromSource are not. An error says what is wrong and what to do."""
_FILES = """\
A SPARQL endpoint over RDF files. Call describe_graph first: it tells classes, properties and graphs with counts; then sparql. \
Every result says completeness (complete, or truncated with total and next_offset). An error says what is wrong and what to do."""
_ABOUT = types.PromptArgument(name="about", description="What to find out about, such as Japanese aid to Cambodia", required=True)
_SIDES = [
    types.PromptArgument(name="a", description="One actor, such as China", required=True),
    types.PromptArgument(name="b", description="Another actor, such as Japan", required=True),
]
_PROMPTS = (
    types.Prompt(
        name="who_says",
        title="Who says so?",
        description="What the article says of a matter, as whose and where",
        arguments=[_ABOUT],
    ),
    types.Prompt(name="compare", title="Two actors compared", description="What two actors do, side by side", arguments=_SIDES),
)
_ASKED = {
    "who_says": (
        "Find out what the article says about this: {about}\n\n"
        "Find short names with search, then ask the tools that fit. For each statement give: what is said, with amounts, units "
        "and dates as the graph has them; its modality; who says so and whom the text credits, with the note; and the section "
        "and character ranges, by get_claim. Keep apart what is reported as fact and what is judged, hedged or expected. Say "
        "plainly what the article does not say, and whether each answer was complete."
    ),
    "compare": (
        "Compare {a} and {b} by what the article says of each.\n\n"
        "Find their short names with search, ask comparison, and then initiatives, agreements and quantities for each. Give a "
        "table: instrument, what the one does, what the other does, with the modality and the claim of each entry. Do not add "
        "up amounts in different currencies or with different bounds. Say plainly where the article speaks of one of them only."
    ),
}
_SHARED = {
    "parameters": "Parameters that many tools share",
    "columns": "Columns that many tools share; x_name and x_names are the names of x",
}
_MOST_ARGUMENT = 500
_Given = TypeVar("_Given")
_Said = TypeVar("_Said")
_Context = ServerRequestContext[Any]


class McpServer:
    """One server for any number of clients; it keeps nothing about any of them."""

    def __init__(self, assembly: Assembly, offered: Mapping[str, Tool]) -> None:
        self._tools = offered
        self._texts = shelf.offered(assembly)
        self._prompts = _PROMPTS if assembly.source.bundle else ()
        self._server = Server(
            "suasion",
            version=__version__,
            title="Suasion",
            instructions=_instructions(assembly),
            get_tool_input_schema=lambda _: None,
            on_list_tools=_safely(self._list_tools),
            on_call_tool=_safely(self._call_tool),
            on_list_resources=_safely(self._list_texts),
            on_list_resource_templates=_safely(_list_templates),
            on_read_resource=_safely(self._read_text),
            on_list_prompts=_safely(self._list_prompts),
            on_get_prompt=_safely(self._get_prompt),
        )
        self._server.middleware.clear()  # it traces each message for an exporter that is not here

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; whoever cancels this ends what it does. The caller has checked host, method and size."""
        manager = StreamableHTTPSessionManager(self._server, json_response=True, stateless=True)
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    async def serve_stdio(self) -> None:
        """Answer on standard input and output until the input ends."""
        async with stdio_server() as (read, write):
            await self._server.run(read, write, self._server.create_initialization_options())

    async def _list_tools(self, _: _Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        annotations = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)
        listed = [
            types.Tool(
                name=tool.name,
                title=tool.title,
                description=tool.description,
                input_schema=await tool.arguments(),
                output_schema=tool.result,
                annotations=annotations,
            )
            for tool in self._tools.values()
        ]
        return types.ListToolsResult(tools=listed)

    async def _call_tool(self, context: _Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = self._tools.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no tool {params.name[:60]!r}: tools/list names them.")
        try:
            result = await tool.call(params.arguments or {}, _client(context))
        except SuasionError as error:
            return _refusal(context, error)
        text = types.TextContent(type="text", text=json.dumps(result, ensure_ascii=False))
        return types.CallToolResult(content=[text], structured_content=result)

    async def _list_texts(self, _: _Context, __: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        return types.ListResourcesResult(resources=[_resource(text) for text in self._texts.values()])

    async def _read_text(self, _: _Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        text = self._texts.get(params.uri)
        if text is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no resource {params.uri[:100]!r}: resources/list names them.")
        read = await asyncio.to_thread(text.read)
        return types.ReadResourceResult(contents=[types.TextResourceContents(uri=text.uri, mime_type=text.media_type, text=read)])

    async def _list_prompts(self, _: _Context, __: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=list(self._prompts))

    async def _get_prompt(self, _: _Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        prompt = next((one for one in self._prompts if one.name == params.name), None)
        if prompt is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no prompt {params.name[:60]!r}: prompts/list names them.")
        given = params.arguments or {}
        needed = [argument.name for argument in prompt.arguments or ()]
        if sorted(given) != sorted(needed) or not all(text.strip() and len(text) <= _MOST_ARGUMENT for text in given.values()):
            said = f"{prompt.name} takes {' and '.join(needed)}, each a text of at most {_MOST_ARGUMENT} characters."
            raise MCPError(types.INVALID_PARAMS, said)
        text = types.TextContent(type="text", text=_ASKED[prompt.name].format(**given))
        return types.GetPromptResult(description=prompt.description, messages=[types.PromptMessage(role="user", content=text)])


def run_stdio(settings: Settings, source: Source, loader: Loader) -> None:
    """Serve a source, that a loader was launched for, on standard input and output until the input ends.

    Raises DataError for data at fault.
    """
    logging.getLogger("mcp").setLevel(logging.ERROR)  # what agents send is theirs to mend, and no event of ours
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # at once: a read of standard input cannot be broken off

    async def serve() -> None:
        assembly = assembled(settings, source, loader)
        server = McpServer(assembly, tools.offered(assembly, lambda: settings.public_url))
        await assembly.engine.start()
        try:
            await server.serve_stdio()
        finally:
            await assembly.engine.close()

    asyncio.run(serve())


def _instructions(assembly: Assembly) -> str:
    """Return what an agent is told first: what this is, and what the parameters and columns mean that many tools share."""
    parts = [_ARTICLE if assembly.source.bundle else _FILES]
    for sort, told in tools.shared(assembly.queries).items():
        listed = "".join(f"\n- {name}: {meaning}" for name, meaning in told.items())
        parts.append(f"{_SHARED[sort]}:{listed}")
    return "\n\n".join(parts)


async def _list_templates(_: _Context, __: types.PaginatedRequestParams | None) -> types.ListResourceTemplatesResult:
    return types.ListResourceTemplatesResult(resource_templates=[])


def _resource(text: Text) -> types.Resource:
    name = text.uri.partition("://")[2]
    return types.Resource(uri=text.uri, name=name, title=text.title, mime_type=text.media_type)


def _client(context: _Context) -> str:
    """Return who a call counts for: over HTTP the client, as for SPARQL; over stdio nobody, for it is the user's own."""
    request = context.request
    if not isinstance(request, Request):
        return ""
    return client_key(client_address(request.scope), request.headers.get("user-agent", ""))


def _refusal(context: _Context, error: SuasionError) -> types.CallToolResult:
    """Return an error as a result that an agent reads; its problem document is beside it."""
    if isinstance(context.request, Request):
        problems.note(context.request.scope, error)
    problem = problems.document(error)
    said = f"{error.title}: {error.detail}"
    if word := problem.get("completeness"):
        said += f" completeness: {word}."
    text = types.TextContent(type="text", text=said)
    return types.CallToolResult(content=[text], is_error=True, _meta={"problem": problem})


def _safely(handle: Callable[[_Context, _Given], Awaitable[_Said]]) -> Callable[[_Context, _Given], Awaitable[_Said]]:
    """Return a handler whose own faults, and what the engine lacks, reach the client as one sentence; the log has the cause."""

    async def handled(context: _Context, params: _Given) -> _Said:
        try:
            return await handle(context, params)
        except MCPError:
            raise
        except SuasionError as error:
            raise MCPError(types.INTERNAL_ERROR, f"{error.title}: {error.detail}", problems.document(error)) from None
        except Exception as error:
            logged = "".join(traceback.format_exception(error, limit=-8))
            if isinstance(context.request, Request):
                context.request.scope["state"] |= {"outcome": "Failed", "failure": logged}
            else:
                logging.getLogger("mcp").error("%s", logged)
            raise MCPError(types.INTERNAL_ERROR, f"{Failed.title}: its log has the cause.") from None

    return handled

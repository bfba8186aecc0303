"""A stand-in for Grafana's HTTP API at the edge of the world: organisations, log-in, data sources, folders, dashboards.

It answers the calls that we make as Grafana 12 does: status, body and what each depends on. A data source's health
check is a real log-in at the database.

Sources, in grafana/grafana: pkg/api/{org,org_users,datasources,folder,dashboard,preferences}.go, pkg/api/apierrors,
pkg/services/dashboards/errors.go, pkg/services/authn/authnimpl (X-Grafana-Org-Id; "Org missing" for who is no member).
"""

import base64
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg

Answer = tuple[int, Any]
Json = dict[str, Any]


@dataclass(slots=True)
class Organisation:
    """One organisation of it, with all that is its own."""

    id: int
    name: str
    members: dict[str, str] = field(default_factory=dict[str, str])
    address: Json = field(default_factory=dict[str, Any])
    folders: dict[str, Json] = field(default_factory=dict[str, Json])
    sources: dict[str, Json] = field(default_factory=dict[str, Json])
    dashboards: dict[str, Json] = field(default_factory=dict[str, Json])
    """By uid: what was sent, in the form of a request."""
    provisioned: set[str] = field(default_factory=set[str])
    """Uids of dashboards and data sources that come from files."""
    preferences: Json = field(default_factory=dict[str, Any])


@dataclass(slots=True)
class Asker:
    """Who asks, and within which organisation; login is empty for a service account's token."""

    login: str
    organisation: Organisation | None
    is_server_admin: bool


@dataclass(slots=True)
class FakeGrafana:
    """What the server knows and heard.

    Attributes:
        unready: how many times `/api/health` still says that the database is not ok.
        refuse: path to (status, message) with which it answers.
        fail_once: a path that it fails at the next time, as a server does that is stopped.
        users: server administrators, with their passwords.
        tokens: of service accounts, with the organisations that they are bound to.
    """

    address: str = ""
    unready: int = 0
    refuse: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    fail_once: str = ""
    requests: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])
    authorisations: set[str] = field(default_factory=set[str])
    users: dict[str, str] = field(default_factory=lambda: {"admin": "pa:ss", "other": "word"})
    tokens: dict[str, int] = field(default_factory=lambda: {"secret-token": 1, "t": 1})
    organisations: dict[int, Organisation] = field(
        default_factory=lambda: {1: Organisation(id=1, name="Main Org.", members={"admin": "Admin", "other": "Admin"})}
    )

    @property
    def main(self) -> Organisation:
        return self.organisations[1]

    def named(self, name: str) -> Organisation | None:
        return next((one for one in self.organisations.values() if one.name == name), None)

    def answer(self, method: str, target: str, body: Json, headers: dict[str, str]) -> Answer:  # noqa: PLR0911
        """Answer one request."""
        url = urlsplit(target)
        if url.path == self.fail_once:
            self.fail_once = ""
            return 500, {"message": "database is locked"}
        if url.path in self.refuse:
            status, message = self.refuse[url.path]
            return status, {"message": message}
        path = [unquote(part) for part in url.path.removeprefix("/api/").split("/")]
        if path == ["health"]:
            return self._health()
        asker = self._asker(headers)
        if asker is None:
            return 401, {"message": "Invalid username or password"}
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        if path[0] in {"orgs", "user"}:
            return _Server(self, asker).answer(method, path, body, query)
        if asker.organisation is None:
            return _forbidden("orgs:read")
        return _Inside(asker.organisation).answer(method, path, body, query)

    def _health(self) -> Answer:
        if self.unready:
            self.unready -= 1
            return 200, {"database": "failing", "version": "12.4.3"}
        return 200, {"database": "ok", "version": "12.4.3"}

    def _asker(self, headers: dict[str, str]) -> Asker | None:
        kind, _, credential = headers.get("Authorization", "").partition(" ")
        if kind == "Bearer":
            bound = self.tokens.get(credential)
            return Asker("", self.organisations[bound], is_server_admin=False) if bound else None
        login, _, password = base64.b64decode(credential).decode().partition(":")
        if kind != "Basic" or self.users.get(login) != password:
            return None
        organisation = self.organisations.get(int(headers.get("X-Grafana-Org-Id", "1")))
        is_member = organisation is not None and login in organisation.members
        return Asker(login, organisation if is_member else None, is_server_admin=True)


class _Server:
    """The routes of the whole server: pkg/api/org.go, org_users.go."""

    def __init__(self, grafana: FakeGrafana, asker: Asker) -> None:
        self._grafana = grafana
        self._asker = asker

    def answer(self, method: str, path: list[str], body: Json, query: Json) -> Answer:
        if (method, path) == ("GET", ["user", "orgs"]):
            mine = [one for one in self._grafana.organisations.values() if self._asker.login in one.members]
            return 200, [{"orgId": o.id, "name": o.name, "role": o.members[self._asker.login]} for o in mine]
        if not self._asker.is_server_admin:
            return _forbidden("orgs:read")
        match method, path:
            case "GET", ["orgs"]:
                size, page = int(query.get("perpage", 1000)), int(query.get("page", 0))
                listed = sorted(self._grafana.organisations.values(), key=lambda one: one.name)
                return 200, [{"id": one.id, "name": one.name} for one in listed[page * size : (page + 1) * size]]
            case "POST", ["orgs"]:
                return self._create(body)
            case "GET", ["orgs", "name", name]:
                return self._details(self._grafana.named(name))
            case _:
                return self._one(method, path, body)

    def _create(self, body: Json) -> Answer:
        if self._grafana.named(body["name"]):
            return 409, {"message": "Organization name taken"}
        number = max(self._grafana.organisations) + 1
        made = Organisation(id=number, name=body["name"], members={self._asker.login: "Admin"})
        self._grafana.organisations[number] = made
        return 200, {"orgId": number, "message": "Organization created"}

    def _one(self, method: str, path: list[str], body: Json) -> Answer:  # noqa: C901, PLR0911  # one a route
        organisation = self._grafana.organisations.get(int(path[1]))
        match method, path[2:]:
            case "GET", []:
                return self._details(organisation)
            case "DELETE", []:
                return self._delete(int(path[1]))
            case _ if organisation is None:
                return 404, {"message": "Organization not found"}
            case "PUT", []:
                if self._grafana.named(body["name"]) not in (None, organisation):
                    return 400, {"message": "Organization name taken"}
                organisation.name = body["name"]
                return 200, {"message": "Organization updated"}
            case "PUT", ["address"]:
                organisation.address = body
                return 200, {"message": "Address updated"}
            case "GET", ["users"]:
                return 200, [{"login": login, "role": role} for login, role in organisation.members.items()]
            case "POST", ["users"]:
                if body["loginOrEmail"] in organisation.members:
                    return 409, {"message": "User is already member of this organization", "userId": 1}
                organisation.members[body["loginOrEmail"]] = body["role"]
                return 200, {"message": "User added to organization", "userId": 1}
            case _:
                return 404, {"message": "Not found"}

    def _details(self, organisation: Organisation | None) -> Answer:
        if organisation is None:
            return 404, {"message": "Organization not found"}
        lines = ("address1", "address2", "city", "zipCode", "state", "country")
        address = {line: organisation.address.get(line, "") for line in lines}
        return 200, {"id": organisation.id, "name": organisation.name, "address": address}

    def _delete(self, number: int) -> Answer:
        if self._asker.organisation is not None and self._asker.organisation.id == number:
            return 400, {"message": "Cannot delete your active organization"}
        if self._grafana.organisations.pop(number, None) is None:
            return 404, {"message": "Failed to delete organization. ID not found"}
        return 200, {"message": "Organization deleted"}


class _Inside:
    """The routes of one organisation: pkg/api/datasources.go, folder.go, dashboard.go, preferences.go."""

    def __init__(self, organisation: Organisation) -> None:
        self._own = organisation

    def answer(self, method: str, path: list[str], body: Json, query: Json) -> Answer:
        routes: dict[str, Callable[[str, list[str], Json, Json], Answer]] = {
            "datasources": self._sources,
            "folders": self._folders,
            "dashboards": self._dashboards,
            "search": self._search,
            "org": self._organisation,
        }
        return routes[path[0]](method, path[1:], body, query) if path[0] in routes else (404, {"message": "Not found"})

    def _sources(self, method: str, path: list[str], body: Json, query: Json) -> Answer:  # noqa: PLR0911  # one a route
        del query
        match method, path:
            case "GET", []:
                return 200, [_told_source(source) for source in self._own.sources.values()]
            case "POST", []:
                return self._add_source(body)
            case _, ["uid", uid, *_] if uid not in self._own.sources:
                return 404, {"message": "Data source not found"}
            case "GET", ["uid", uid]:
                return 200, _told_source(self._own.sources[uid])
            case "GET", ["uid", uid, "health"]:
                return _log_in(self._own.sources[uid])
            case "PUT", ["uid", uid]:
                if uid in self._own.provisioned:
                    return 403, {"message": "Cannot update read-only data source"}
                kept = self._own.sources[uid].get("secureJsonData", {})
                self._own.sources[uid] = {**body, "secureJsonData": {**kept, **body.get("secureJsonData", {})}}
                return 200, {"message": "Datasource updated"}
            case _:
                return 404, {"message": "Not found"}

    def _add_source(self, body: Json) -> Answer:
        if body["name"] in {source["name"] for source in self._own.sources.values()}:
            return 409, {"message": "data source with the same name already exists"}
        if body["uid"] in self._own.sources:
            return 409, {"message": "data source with the same uid already exists"}
        self._own.sources[body["uid"]] = body
        return 200, {"message": "Datasource added"}

    def _folders(self, method: str, path: list[str], body: Json, query: Json) -> Answer:  # noqa: C901, PLR0911
        match method, path:
            case "GET", []:
                parent = query.get("parentUid")
                return 200, [one for one in self._own.folders.values() if one.get("parentUid") == parent]
            case "POST", []:
                if body["uid"] in self._own.folders:
                    return 409, {"message": "a folder/dashboard with the same uid already exists"}
                self._own.folders[body["uid"]] = {**body, "version": 1}
                return 200, self._own.folders[body["uid"]]
            case _, [uid] if uid not in self._own.folders:
                return 404, {"message": "folder not found", "status": "not-found"}
            case "GET", [uid]:
                return 200, self._own.folders[uid]
            case "PUT", [uid]:
                if not body.get("overwrite") and body.get("version") != self._own.folders[uid]["version"]:
                    message = "the folder has been changed by someone else"
                    return 412, {"status": "version-mismatch", "message": message}
                self._own.folders[uid] |= {"title": body["title"]}
                return 200, self._own.folders[uid]
            case "DELETE", [uid]:
                # with all that is in it
                self._own.dashboards = {k: v for k, v in self._own.dashboards.items() if v.get("folderUid") != uid}
                del self._own.folders[uid]
                return 200, {"message": "Folder deleted"}
            case _:
                return 404, {"message": "Not found"}

    def _dashboards(self, method: str, path: list[str], body: Json, query: Json) -> Answer:
        del query
        match method, path:
            case "POST", ["db"]:
                return self._save(body)
            case _, ["uid", uid] if uid not in self._own.dashboards:
                return 404, {"message": "Dashboard not found", "status": "not-found"}
            case "GET", ["uid", uid]:
                saved = self._own.dashboards[uid]
                model = {**saved["dashboard"], "id": 7, "version": 3}
                return 200, {"dashboard": model, "meta": {"folderUid": saved.get("folderUid", "")}}
            case "DELETE", ["uid", uid]:
                if uid in self._own.provisioned:
                    return 400, {"message": "provisioned dashboard cannot be deleted"}
                removed = self._own.dashboards.pop(uid)
                return 200, {"message": f"Dashboard {removed['dashboard']['title']} deleted"}
            case _:
                return 404, {"message": "Not found"}

    def _save(self, body: Json) -> Answer:
        uid = body["dashboard"]["uid"]
        if uid in self._own.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if body.get("folderUid") and body["folderUid"] not in self._own.folders:
            return 400, {"message": "folder not found"}
        if uid in self._own.dashboards and not body.get("overwrite"):
            message = "The dashboard has been changed by someone else"
            return 412, {"status": "version-mismatch", "message": message}
        self._own.dashboards[uid] = body
        return 200, {"uid": uid, "status": "success"}

    def _search(self, method: str, path: list[str], body: Json, query: Json) -> Answer:
        del method, path, body
        found = [
            {"uid": uid, "type": "dash-db", "tags": saved["dashboard"].get("tags", [])}
            for uid, saved in self._own.dashboards.items()
            if query.get("tag") in (None, *saved["dashboard"].get("tags", []))
            and query.get("folderUIDs") in (None, saved.get("folderUid"))
        ]
        if not query.keys() & {"tag", "folderUIDs", "type"}:
            found += [{"uid": uid, "type": "dash-folder", "tags": []} for uid in self._own.folders]
        return 200, found[: int(query.get("limit", 1000))]

    def _organisation(self, method: str, path: list[str], body: Json, query: Json) -> Answer:
        del query
        match method, path:
            case "GET", []:
                return 200, {"id": self._own.id, "name": self._own.name}
            case "GET", ["preferences"]:
                return 200, self._own.preferences
            case "PATCH", ["preferences"]:
                if body.get("homeDashboardUID") not in {None, *self._own.dashboards}:
                    return 404, {"message": "Dashboard not found"}
                self._own.preferences |= body
                return 200, {"message": "Preferences updated"}
            case _:
                return 404, {"message": "Not found"}


def _forbidden(action: str) -> Answer:
    message = f"You'll need additional permissions to perform this action. Permissions needed: {action}"
    return 403, {"accessErrorId": "ACE0000000000", "message": message, "title": "Access denied"}


def _told_source(source: Json) -> Json:
    told = {key: value for key, value in source.items() if key != "secureJsonData"}
    return {**told, "secureJsonFields": dict.fromkeys(source.get("secureJsonData", {}), True), "readOnly": False}


def _log_in(source: Json) -> Answer:
    host, _, port = source["url"].rpartition(":")
    password = source.get("secureJsonData", {}).get("password", "")
    try:
        with psycopg.connect(
            host=host, port=port, user=source["user"], password=password, dbname=source["jsonData"]["database"]
        ):
            return 200, {"status": "OK", "message": "Database Connection OK"}
    except psycopg.Error as error:
        # A failed check is answered by 400. Source: pkg/api/datasources.go, checkDatasourceHealth.
        return 400, {"status": "ERROR", "message": str(error)}


@contextmanager
def running() -> Generator[FakeGrafana]:
    """Serve on a free port of this machine."""
    grafana = FakeGrafana()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(grafana))
    grafana.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield grafana
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(grafana: FakeGrafana) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body: Json = json.loads(self.rfile.read(length)) if length else {}
            grafana.requests.append((self.command, self.path, body))
            grafana.authorisations.add(self.headers.get("Authorization") or "")
            status, answer = grafana.answer(self.command, self.path, body, dict(self.headers.items()))
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  # the base class looks for these names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
            del format, args

    return Handler

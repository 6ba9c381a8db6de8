// SPDX-License-Identifier: MIT
// clients/javascript/runnel.js against the service at SERVICE_URL, with SERVICE_KEY: a line for each
// test, as tests/report.py has them. WEBHOOK is what a receiver got: headers and body.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Runnel, RunnelError, WebhookError, verifyWebhook } from "../../clients/javascript/runnel.js";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { SERVICE_URL: url, SERVICE_KEY: key, WEBHOOK } = process.env;
const WebSocket = require("ws");
const runnel = new Runnel({ url, key, WebSocket });

const collect = async (events) => {
    const all = [];
    for await (const event of events) all.push(event);
    return all;
};
const said = (events) =>
    events.filter((event) => event.type === "stdout").map((event) => event.data).join("");
const refusal = async (promise) => {
    try {
        await promise;
    } catch (error) {
        assert.ok(error instanceof RunnelError, String(error));
        return error;
    }
    throw new Error("it was not refused");
};


/* A service that is played: its answers one after the other (null: the line is cut), and what was asked. */
const RECORD = { id: "run_1", status: "succeeded", verdict: "succeeded" };
const record = () => new Response(JSON.stringify(RECORD));
const no = (status, code, pause = "0") => new Response(JSON.stringify({ error: "no", code }),
    { status, headers: pause === null ? {} : { "Retry-After": pause } });
const played = (...answers) => {
    const asked = [];
    return { asked, runnel: new Runnel({ url, retries: 2, fetch: async (address, { method = "GET" }) => {
        asked.push(`${method} ${String(address).slice(url.length)}`);
        const answer = answers.shift();
        if (!answer) throw new TypeError("cut");
        return answer;
    } }) };
};

const tests = {
    async a_run_that_is_waited_for() {
        const run = await runnel.run({
            language: "python", stdin: "in", args: ["a"], metadata: { a: "b" },
            code: "import sys; print(input(), sys.argv[1:], open('x.bin', 'rb').read())",
            files: [{ path: "x.bin", content: new Uint8Array([255, 0]) }],
        });
        assert.equal(run.verdict, "succeeded");
        assert.equal(run.stdout, "in ['a'] b'\\xff\\x00'\n");
        assert.deepEqual((await runnel.get(run.id)).usage, run.usage);
    },
    async refusals_are_errors() {
        const error = await refusal(runnel.run({ language: "cobol", code: "x" }));
        assert.deepEqual([error.status, error.code, error.field], [400, "unknown_language", "language"]);
        assert.equal((await refusal(runnel.get("run_000000000000"))).status, 404);
        assert.equal((await refusal(new Runnel({ url, key: "wrong" }).languages())).status, 401);
        assert.equal((await refusal(collect(runnel.events("run_000000000000")))).status, 404);
        await refusal(runnel.attach("run_000000000000"));
        await assert.rejects(new Runnel({ url: "http://127.0.0.1:1", retries: 0 }).languages());
    },
    async who_is_too_fast_waits() {
        const slow = new Runnel({ url, key: "sk_slow", retries: 3 });
        for (let n = 0; n < 3; n++)
            assert.equal((await slow.run({ language: "bash", code: "true" })).verdict, "succeeded");
    },
    async an_idempotency_key() {
        const request = { language: "bash", code: "echo $RANDOM" };
        const first = await runnel.run(request, { idempotencyKey: "js" });
        assert.equal((await runnel.run(request, { idempotencyKey: "js" })).stdout, first.stdout);
        const other = runnel.run({ ...request, code: "x" }, { idempotencyKey: "js" });
        assert.equal((await refusal(other)).status, 422);
    },
    async only_a_run_that_was_not_begun_is_asked_for_again() {
        const request = { language: "bash", code: "true" };
        for (const answer of [no(429, "rate_limited"), no(503, "queue_full"), no(503, "shutting_down"), no(429, "")]) {
            const { runnel, asked } = played(answer, record());
            assert.equal((await runnel.run(request)).id, "run_1");
            assert.deepEqual(asked, ["POST /v1/runs", "POST /v1/runs"]);
        }
        for (const answer of [() => no(503, "broker_unavailable"), () => no(502, ""), () => null]) {
            const once = played(answer(), record());
            await assert.rejects(once.runnel.run(request));
            assert.deepEqual(once.asked, ["POST /v1/runs"]);
            const keyed = played(answer(), record());
            assert.equal((await keyed.runnel.run(request, { idempotencyKey: "k" })).id, "run_1");
        }
    },
    async cancelling_forgets_nothing() {
        const { runnel, asked } = played(null, record(), record(), record());
        assert.equal((await runnel.cancel("run_1")).verdict, "succeeded");
        await (await runnel.start({ language: "bash", code: "true" })).cancel();
        const cancel = "DELETE /v1/runs/run_1?only=cancel";
        assert.deepEqual(asked, [cancel, cancel, "POST /v1/runs?wait=false", cancel]);
        for (const answer of [null, no(502, "")]) {
            const once = played(answer, record());
            await assert.rejects(once.runnel.delete("run_1"));
            assert.deepEqual(once.asked, ["DELETE /v1/runs/run_1"]);
        }
    },
    async a_file_that_is_gone_the_second_time_was_deleted() {
        assert.equal(await played(null, no(404, "not_found", null)).runnel.deleteFile("file_1"), null);
        for (const before of [[], [no(429, "rate_limited")]])
            assert.equal((await refusal(played(...before, no(404, "not_found", null)).runnel.deleteFile("file_1"))).status, 404);
    },
    async events_come_back_when_they_are_told_to_and_end_with_the_end() {
        const said = (event) => new Response(`data: ${JSON.stringify(event)}\n\n`);
        const events = [{ n: 4, t: 1, type: "stdout", data: "x" }, { n: 1, t: 1, type: "end", verdict: "internal_error" }];
        const { runnel, asked } = played(said(events[0]), no(503, "queue_full"), said(events[1]));
        assert.deepEqual(await collect(runnel.events("run_1")), events);
        assert.equal(asked.length, 3);
    },
    async events_and_their_resumption() {
        const live = await runnel.start({ language: "bash", code: "for i in 1 2 3; do echo $i; done" });
        const events = await collect(live.events());
        assert.deepEqual(events.map((event) => event.n), events.map((_, at) => at + 1));
        assert.equal(said(events), "1\n2\n3\n");
        assert.deepEqual(await collect(live.events({ after: 3 })), events.slice(3));
    },
    async a_stream_that_is_cut_is_taken_up_again() {
        let cuts = 0;
        const cutting = new Runnel({ url, key, fetch: async (address, init) => {
            const response = await fetch(address, init);
            if (!String(address).endsWith("/events") || cuts++ > 2) return response;
            const reader = response.body.getReader();
            const { value } = await reader.read();
            await reader.cancel();
            return new Response(value.slice(0, value.lastIndexOf(10, value.length - 3)));
        } });
        const live = await cutting.start({ language: "bash", code: "echo one; sleep 0.3; echo two" });
        const events = await collect(live.events());
        assert.deepEqual(events.map((event) => event.n), events.map((_, at) => at + 1));
        assert.equal(said(events), "one\ntwo\n");
        assert.ok(cuts > 1);
    },
    async a_session() {
        const live = await runnel.start({ language: "python", code: "print('hello', input('name? '))" });
        const session = await live.attach();
        session.signal("nonsense");
        session.input("Ädä\n");
        const events = await collect(session);
        assert.equal(said(events), "name? hello Ädä\n");
        assert.equal(events.filter((event) => event.type === "error")[0].field, "signal");
        assert.equal((await live.wait()).verdict, "succeeded");
    },
    async more_of_a_session() {
        let live = await runnel.start({ language: "bash", code: "cat" });
        let session = await live.attach();
        session.input("x");
        session.eof();
        assert.equal(said(await collect(session)), "x");
        live = await runnel.start({ language: "bash", code: "sleep 100" });
        session = await live.attach();
        session.resize(40, 10);
        session.cancel();
        assert.equal((await collect(session)).at(-1).verdict, "cancelled");
    },
    async lists_cancel_and_forget() {
        const made = [];
        for (let n = 0; n < 5; n++)
            made.push((await runnel.run({ language: "bash", code: "true", metadata: { of: "js" } })).id);
        const filter = { metadata: { of: "js" }, page: 2 };
        assert.deepEqual((await collect(runnel.list(filter))).map((run) => run.id), made.reverse());
        assert.equal(await runnel.delete(made[0]), null);
        assert.equal((await collect(runnel.list(filter))).length, 4);
        const live = await runnel.start({ language: "bash", code: "sleep 100" });
        assert.equal((await live.cancel()).id, live.id);
        assert.equal((await live.wait()).verdict, "cancelled");
        assert.equal((await runnel.cancel(made[1])).verdict, "succeeded");
        assert.equal((await runnel.get(made[1])).id, made[1]);
    },
    async files() {
        const content = new Uint8Array(300000).map((_, at) => at);
        const file = await runnel.upload(content, "a \"b\".bin");
        assert.equal(file.size, 300000);
        const back = new Uint8Array(await (await runnel.download(file)).arrayBuffer());
        assert.deepEqual(back, content);
        const run = await runnel.run({ language: "bash", code: "cp inputs/in outputs/out",
                                       files: [{ id: file.id, path: "in" }] });
        const artifact = run.artifacts[0];
        assert.equal(artifact.sha256, file.sha256);
        const keyless = await new Runnel({ url }).download(artifact);
        assert.equal((await keyless.blob()).size, 300000);
        const old = { ...artifact, url: artifact.url.replace(/sig=./, "sig=x") };
        assert.equal((await runnel.download(old)).status, 200);
        await runnel.deleteFile(file);
        assert.equal((await refusal(runnel.download(file.id))).status, 404);
    },
    async languages() {
        assert.ok((await runnel.languages()).some((language) => language.name === "python"));
    },
    async a_wait_can_be_given_up() {
        const signal = AbortSignal.timeout(200);
        await assert.rejects(runnel.run({ language: "bash", code: "sleep 9" }, { signal }));
    },
    async webhooks_are_verified() {
        const { headers, body } = JSON.parse(WEBHOOK);
        const secret = await runnel.webhookSecret();
        assert.equal((await verifyWebhook(secret, headers, body)).verdict, "succeeded");
        assert.equal((await verifyWebhook(secret, new Headers(headers),
                                          new TextEncoder().encode(body))).verdict, "succeeded");
        for (const [wrongSecret, wrongHeaders, wrongBody] of [
            [secret, headers, `${body} `], ["whsec_AAAA", headers, body], [secret, {}, body],
            [secret, { ...headers, "Webhook-Timestamp": "1" }, body],
            [secret, { ...headers, "Webhook-Signature": "v1,AAAA" }, body]])
            await assert.rejects(verifyWebhook(wrongSecret, wrongHeaders, wrongBody), WebhookError);
        await assert.rejects(verifyWebhook(secret, headers, body, { toleranceSeconds: -1 }), WebhookError);
    },
};

for (const [name, test] of Object.entries(tests)) {
    try {
        await test();
        console.log(`ok ${name}`);
    } catch (error) {
        console.log(`FAIL ${name} (${error.stack})`);
    }
}
process.exit(0);

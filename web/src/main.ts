// SPDX-License-Identifier: MIT
// Ties the parts of the page together. What each part is for stands at its top:
//
//   workspace  what is to be run: language, files, options     (left side)
//   runner     the run itself, over api and stream
//   console    its output and the visitor's input              (right side)
//   status, meter   what it does now, and how it ended
//   share, history  ways in and out of the workspace
//   session, views  who the visitor is, and which face of the page is seen
import { ApiError, type Language, type RunEvent, type RunRequest } from './api.js';
import { Console } from './console.js';
import { HistoryView } from './history_view.js';
import { remember } from './history.js';
import { Meter } from './meter.js';
import { copyText, element, notify, reasonOf } from './page.js';
import { Runner } from './runner.js';
import { Session } from './session.js';
import type { Setup } from './setup.js';
import { fromFragment, takeLinkOut, toFragment } from './share.js';
import { Status } from './status.js';
import { Theme } from './theme.js';
import { Views } from './views.js';
import { Workspace } from './workspace.js';

const runButton = element('run', HTMLButtonElement);
const stopButton = element('stop', HTMLButtonElement);
const missing = element('missing', HTMLElement);

const status = new Status();
const meter = new Meter(element('meter-cpu', HTMLElement), element('meter-memory', HTMLElement));
const workspace = new Workspace(showLanguage, takeLinkOut);
const runner = new Runner({
    changed: onPhase,
    event: onEvent,
    place: (text) => status.showPlace(text),
    refused: (text) => notify(text, 'bad'),
    connection: (state) => status.showConnection(state),
    lost: () => {
        status.showLost();
        keep('lost', null);
    },
});
const screen = new Console(() => theme.dark, {
    typed: (data) => void runner.input(data),
    endOfInput,
    interrupt: () => runner.interrupt(),
    resized: (columns, rows) => runner.resize(columns, rows),
});
const theme: Theme = new Theme((dark) => screen.setDark(dark));

const session: Session = new Session(onLogin);
const views: Views = new Views(() => session, (error) => notify(reasonOf(error), 'bad'));

let running: Setup | null = null;
let preparing = false;

/* --- a run --- */

function request(setup: Setup, size: { columns: number; rows: number } | null): RunRequest {
    const [program, ...files] = setup.files;
    const limits = workspace.options.limits();
    const args = workspace.options.arguments();
    return {
        language: setup.language,
        code: program!.content,
        tty: size !== null,
        on_disconnect: 'kill',
        ...size,
        ...(args.length > 0 ? { args } : {}),
        ...(setup.stdin ? { stdin: setup.stdin } : {}),
        ...(files.length > 0 ? { files } : {}),
        ...(Object.keys(limits).length > 0 ? { limits } : {}),
    };
}

async function run(): Promise<void> {
    if (preparing || runner.starting || runButton.disabled) return;
    preparing = true;
    const setup = workspace.setup;
    workspace.options.clearErrors();
    notify('');
    try {
        /* Before anything of the run that may still go on is touched. */
        workspace.options.check();
        if (runner.busy) keep('cancelled', null);
        runner.abandon();
        const size = await screen.prepare(setup.terminal);
        const wanted = request(setup, size);
        const started = runner.start(wanted, workspace.options.endsInput);
        running = setup;
        meter.clear();
        status.say('Starting…');
        screen.begin();
        screen.reveal();
        if (setup.stdin) screen.echo(setup.stdin);
        if (workspace.options.endsInput) screen.closeInput();
        preparing = false;
        await started;
    } catch (error) {
        if (!runner.busy) running = null;
        status.say('Not started', 'bad');
        notify(reasonOf(error), 'bad');
        if (error instanceof ApiError && error.field) workspace.options.reject(error.field);
    } finally {
        preparing = false;
    }
}

function endOfInput(): void {
    if (runner.endInput()) screen.closeInput();
}

function onPhase(phase: 'idle' | 'starting' | 'live'): void {
    document.body.dataset['phase'] = phase;
    if (phase === 'idle' && document.activeElement === stopButton) runButton.focus();
    stopButton.disabled = phase === 'idle';
    if (phase === 'idle') screen.end();
}

function onEvent(event: RunEvent): void {
    switch (event.type) {
        case 'state':
            status.showState(event.state);
            break;
        case 'stdout':
        case 'stderr':
        case 'notice':
            screen.print(event.type, event.t, event.data);
            break;
        case 'gap':
            screen.print('gap', event.t, `\n[${event.lost_bytes} bytes of output were lost here]\n`);
            break;
        case 'usage':
            meter.add(event);
            break;
        case 'end':
            status.showEnd(event);
            keep(event.verdict, event.usage?.wall_ms ?? null);
            break;
    }
}

function keep(verdict: string, wallMs: number | null): void {
    if (running) remember({ when: Date.now(), setup: running, verdict, wallMs });
    running = null;
}

/* The page can be used either way. */
function onLogin(needed: boolean): void {
    views.login(needed);
    if (needed) document.body.dataset['ready'] = 'yes';
}

/* --- the workspace --- */

function showLanguage(language: Language): void {
    missing.hidden = language.installed;
    runButton.disabled = !language.installed;
    element('missing-text', HTMLElement).textContent = `${language.title} is not installed on this server.`;
    const install = element('missing-install', HTMLElement);
    install.textContent = language.install ?? '';
    install.hidden = !language.install;
}

async function share(): Promise<void> {
    const url = new URL(location.href);
    url.hash = await toFragment(workspace.setup);
    history.replaceState(null, '', url);
    const copied = await copyText(url.href);
    notify(copied ? 'Link copied: the code is in the link itself.' : 'The link is in the address bar.');
}

async function readLink(): Promise<Setup | null> {
    try {
        return await fromFragment(location.hash);
    } catch {
        notify('The code in this link cannot be read.', 'bad');
        return null;
    }
}

function tellOfLink(setup: Setup): void {
    if (workspace.languages.find(setup.language)) notify('This code came with a link: read it before you run it.');
    else notify(`This link is for a language that this server does not have: ${setup.language.slice(0, 60)}`, 'bad');
}

async function copyCode(): Promise<void> {
    const copied = await copyText(workspace.shownText);
    notify(copied ? 'Code copied.' : 'The browser did not let the page copy.', copied ? 'info' : 'bad');
}

/* --- keys --- */

/* From the pane that has the focus to the one after it. */
function nextPane(): void {
    const active = document.activeElement;
    if (element('program', HTMLElement).contains(active)) screen.focus();
    else if (element('output', HTMLElement).contains(active)) element('language', HTMLSelectElement).focus();
    else workspace.focusEditor();
}

/* Before the editor and the terminal see them. */
function onKey(event: KeyboardEvent): void {
    const control = event.ctrlKey || event.metaKey;
    if (!views.showsProgram || document.querySelector('dialog[open]')) return;
    if (control && event.key === 'Enter') void run();
    else if (control && event.key === '.') runner.stop();
    else if (event.key === 'F6') nextPane();
    else return;
    event.preventDefault();
    event.stopPropagation();
}

async function main(): Promise<void> {
    runButton.addEventListener('click', () => void run());
    stopButton.addEventListener('click', () => runner.stop());
    element('share', HTMLButtonElement).addEventListener('click', () => void share());
    element('code-copy', HTMLButtonElement).addEventListener('click', () => void copyCode());
    element('notice-close', HTMLButtonElement).addEventListener('click', () => notify(''));
    window.addEventListener('keydown', onKey, { capture: true });
    window.addEventListener('hashchange', () => {
        void readLink().then((setup) => {
            if (!setup) return;
            workspace.restore(setup);
            tellOfLink(setup);
        });
    });
    new HistoryView(
        (name) => workspace.languages.find(name)?.title ?? name,
        (setup) => {
            if (!workspace.restore(setup)) notify('This server does not have that language.', 'bad');
            workspace.focusEditor();
        },
    );
    onPhase('idle');
    const shared = await readLink();
    await session.begin();
    try {
        await workspace.languages.load();
    } catch (error) {
        notify(reasonOf(error), 'bad');
        return;
    }
    await workspace.open(shared);
    if (shared) tellOfLink(shared);
    document.body.dataset['ready'] = 'yes';
}

void main();

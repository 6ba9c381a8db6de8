// SPDX-License-Identifier: MIT
// Which of the page's three faces is seen: the program, the operator's side
// (below #/admin), or, over both, the login.
import type { Admin, Visitor } from './admin.js';
import { element } from './page.js';

type Face = 'run' | 'admin' | 'login';

export class Views {
    private admin: Admin | null = null;
    private needsLogin = false;

    constructor(
        private readonly visitor: () => Visitor,
        private readonly onFailed: (error: unknown) => void,
    ) {
        window.addEventListener('hashchange', () => this.route());
    }

    get showsProgram(): boolean {
        return document.body.dataset['view'] === 'run';
    }

    login(needed: boolean): void {
        this.needsLogin = needed;
        this.route();
    }

    route(): void {
        const face: Face = this.needsLogin ? 'login' : location.hash.startsWith('#/admin') ? 'admin' : 'run';
        document.body.dataset['view'] = face;
        for (const name of ['run', 'admin', 'login']) element(`${name}-view`, HTMLElement).hidden = name !== face;
        if (face === 'admin') void this.showAdmin(location.hash);
        else this.admin?.close();
    }

    private async showAdmin(hash: string): Promise<void> {
        try {
            const { Admin } = await import('./admin.js');
            this.admin ??= new Admin(this.visitor());
        } catch (error) {
            this.onFailed(error);
            return;
        }
        if (location.hash === hash && !this.needsLogin) this.admin.show(hash);
    }
}

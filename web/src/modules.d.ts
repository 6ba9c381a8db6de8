// SPDX-License-Identifier: MIT
// Made by build.mjs from languages/samples.
declare module 'runnel:samples' {
    const samples: Record<string, string>;
    export default samples;
}

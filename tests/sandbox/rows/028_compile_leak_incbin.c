/* SPDX-License-Identifier: MIT
 * row: 28 compile_leak
 * expect: compile_failed
 * stderr: (can't open|file not found|No such file)
 * layer: root, landlock, identity
 *
 * By the assembler instead of the preprocessor.
 */
__asm__(".data\nleaked: .incbin \"@CANARY@\"\n.byte 0\n.text\n");
extern const char leaked[];
int puts(const char *text);
int main(void)
{
    return puts(leaked);
}

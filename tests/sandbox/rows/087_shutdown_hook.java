/* SPDX-License-Identifier: MIT
 * row: 87 atexit_hang
 * expect: timeout
 * stdout: ^leaving$
 * limits: timeout=4s
 * layer: supervisor
 */
public class Hook {
    public static void main(String[] args) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            while (true) {
                try {
                    Thread.sleep(1000);
                } catch (InterruptedException ignored) {
                }
            }
        }));
        System.out.println("leaving");
    }
}

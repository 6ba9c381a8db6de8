/* SPDX-License-Identifier: MIT
 * row: 87 atexit_hang
 * expect: failed
 * exit: 9
 * layer: supervisor
 */
public class Halt {
    public static void main(String[] args) throws InterruptedException {
        new Thread(() -> Runtime.getRuntime().halt(9)).start();
        Thread.sleep(60000);
    }
}

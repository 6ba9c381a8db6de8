/* SPDX-License-Identifier: MIT
 * row: 4 threadbomb_java
 * expect: failed memory_limit
 * exit: 3
 * stdout: ^refused: OutOfMemoryError$
 * limits: timeout=20s processes=100
 * check: limits_hit.processes >= 1
 * needs: cgroup
 * alone: yes
 * layer: cgroup
 */
public class Threads {
    public static void main(String[] args) {
        try {
            for (int i = 0; i < 10000; i++) {
                Thread thread = new Thread(() -> {
                    try {
                        Thread.sleep(60000);
                    } catch (InterruptedException ignored) {
                    }
                });
                thread.setDaemon(true);
                thread.start();
            }
            System.out.println("ESCAPED 10000 threads");
        } catch (OutOfMemoryError error) {
            System.out.println("refused: " + error.getClass().getSimpleName());
            Runtime.getRuntime().halt(3);
        }
    }
}

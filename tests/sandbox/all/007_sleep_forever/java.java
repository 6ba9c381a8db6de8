// SPDX-License-Identifier: MIT
public class Sleep {
    public static void main(String[] args) throws InterruptedException {
        Thread.sleep(1000000000L);
    }
}

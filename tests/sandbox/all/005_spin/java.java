// SPDX-License-Identifier: MIT
public class Spin {
    public static void main(String[] args) {
        while (true)
            Thread.onSpinWait();
    }
}

// SPDX-License-Identifier: MIT
public class Input {
    public static void main(String[] args) throws java.io.IOException {
        if (System.in.read() < 0)
            System.out.println("end of input");
    }
}

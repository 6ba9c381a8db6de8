// SPDX-License-Identifier: MIT
public class Arguments {
    public static void main(String[] args) {
        for (String argument : args)
            System.out.println("[" + argument + "]");
    }
}

// SPDX-License-Identifier: MIT
package main

import "time"

func main() {
	time.Sleep(100000 * time.Hour)
}

<?php
foreach (array_slice($argv, 1) as $index => $argument) {
    echo "Arg $index: $argument\n";
}

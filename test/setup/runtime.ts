import { installRuntime } from '../support/world.js';

// Runs before a test can make the SDK install its own runtime. A process has one runtime, and tests search its log lines for secrets.
installRuntime();

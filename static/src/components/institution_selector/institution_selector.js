import { Component, onPatched, onWillStart, useRef, useState } from "@odoo/owl";
import { useAutofocus, useService } from "@web/core/utils/hooks";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { InstitutionCard } from "./institution_card";
import { KeepLast } from "@web/core/utils/concurrency";
import { RPCError } from "@web/core/network/rpc";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { useDebounced } from "@web/core/utils/timing";

const PAGE_SIZE = 60;
/** In milliseconds. */
const TYPING_PAUSE = 100;
/** In pixels. */
const NEAR_THE_END = 200;

/**
 * The window *Add a Bank Account*: a search box over Ponto's catalogue of financial institutions, as cards.
 * Picking one opens the wizard that connects it.
 */
export class InstitutionSelector extends Component {
    static template = "account_online_ponto.InstitutionSelector";
    static components = { InstitutionCard };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.searchBox = useAutofocus();
        this.results = useRef("results");
        this.lastAnswer = new KeepLast();
        this.state = useState({
            text: "",
            institutions: [],
            hasMore: false,
            isEmpty: false,
            isGuess: false,
            pickedId: false,
            refreshing: false,
            error: "",
        });
        this.searchSoon = useDebounced(() => this.search(), TYPING_PAUSE);
        onWillStart(() => this.search());
        onPatched(() => {
            if (this.goToCards) {
                this.goToCards = false;
                this.focusCard(0);
            }
        });
    }

    get countInWords() {
        const { hasMore, institutions } = this.state;
        return hasMore
            ? _t("Banks found: more than %s", institutions.length)
            : _t("Banks found: %s", institutions.length);
    }

    onInput(ev) {
        this.state.text = ev.target.value;
        this.searchSoon();
    }

    async onSearchBoxKeydown(ev) {
        if (ev.key === "Enter" || ev.key === "ArrowDown") {
            ev.preventDefault();
            this.searchSoon.cancel();
            await this.search();
            // Once they are there.
            this.goToCards = true;
        }
    }

    onCardsKeydown(ev) {
        const cards = this.cards;
        const index = cards.indexOf(ev.target);
        const columns = cards.filter((card) => card.offsetTop === cards[0].offsetTop).length;
        const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
        if (index < 0 || !steps[ev.key]) {
            return;
        }
        ev.preventDefault();
        const target = index + steps[ev.key];
        if (target < 0) {
            this.searchBox.el.focus();
        } else {
            this.focusCard(target);
        }
    }

    onScroll(ev) {
        const { scrollHeight, scrollTop, clientHeight } = ev.target;
        if (this.state.hasMore && scrollHeight - scrollTop - clientHeight < NEAR_THE_END) {
            this.showMore();
        }
    }

    get cards() {
        return [...this.results.el.querySelectorAll(".o_ponto_institution_card")];
    }

    focusCard(index) {
        const cards = this.cards;
        cards[Math.min(index, cards.length - 1)]?.focus();
    }

    /** Show what matches the text; answers to what was typed before are dropped, in whatever order they come. */
    async search() {
        this.loadingMore = false;
        const page = await this.load(this.state.text, 0);
        this.state.institutions = page.institutions;
        this.state.isEmpty = page.is_empty;
        this.state.isGuess = Boolean(page.is_guess);
        if (this.results.el) {
            this.results.el.scrollTop = 0;
        }
    }

    async showMore() {
        if (this.loadingMore) {
            return;
        }
        this.loadingMore = true;
        try {
            const page = await this.load(this.shownText, this.state.institutions.length);
            this.state.institutions.push(...page.institutions);
        } finally {
            this.loadingMore = false;
        }
    }

    async load(text, offset) {
        const page = await this.lastAnswer.add(
            this.orm.silent.call("ponto.institution", "search_catalogue", [text], {
                offset,
                limit: PAGE_SIZE,
            })
        );
        this.shownText = text;
        this.state.hasMore = page.has_more;
        return page;
    }

    async refresh() {
        this.state.refreshing = true;
        this.state.error = "";
        try {
            await this.orm.call("ponto.institution", "action_refresh_catalogue", []);
        } catch (error) {
            if (!(error instanceof RPCError)) {
                throw error;
            }
            this.state.error = error.data?.message || error.message;
        } finally {
            this.state.refreshing = false;
        }
        await this.search();
    }

    pick(institution) {
        if (!["beta", "experimental"].includes(institution.status)) {
            return this.connect(institution);
        }
        this.dialog.add(ConfirmationDialog, {
            title: institution.name,
            body:
                institution.status === "beta"
                    ? _t(
                          "Ponto offers this bank as a beta version. Ponto itself supports it: if something does not work with this bank, please contact Ponto."
                      )
                    : _t(
                          "Ponto offers this bank as an experiment. Ponto itself supports it: if something does not work with this bank, please contact Ponto."
                      ),
            confirmLabel: _t("Continue"),
            confirm: () => {
                this.connect(institution);
            },
            cancelLabel: _t("Back"),
            cancel: () => undefined,
        });
    }

    async connect(institution) {
        this.state.pickedId = institution.id;
        try {
            await this.action.doAction(
                await this.orm.call("ponto.connect", "action_add_bank_account", [], {
                    institution_id: institution.id,
                })
            );
        } finally {
            this.state.pickedId = false;
        }
    }

    async setUpByHand() {
        await this.action.doAction(await this.orm.call("res.company", "setting_init_bank_account_action", []));
    }
}

registry.category("actions").add("account_online_ponto.institution_selector", InstitutionSelector);
